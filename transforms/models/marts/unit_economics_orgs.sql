-- What each org brought in and cost in a month. Negative margins are the point of this mart: they are sold at a loss.
{{ unit_economics('org_id') }}
