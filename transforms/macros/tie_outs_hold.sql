{#
  Fails the build where an identity is broken. dbt says of a failing test only how many rows it found; whoever is woken by it
  needs to know which number and where, so the test stops with both.
#}
{% test tie_outs_hold(model) %}
{%- if execute -%}
  {%- set broken = run_query(
      'select "check", scope, left_minor, right_minor from ' ~ model ~ ' where not holds order by "check", scope limit 20'
  ).rows -%}
  {%- if broken | length > 0 -%}
    {%- set told = [] -%}
    {%- for row in broken -%}
      {%- do told.append(row[0] ~ ' at ' ~ row[1] ~ ': ' ~ row[2] ~ ' is not ' ~ row[3]) -%}
    {%- endfor -%}
    {{ exceptions.raise_compiler_error('identities are broken: ' ~ told | join('; ')) }}
  {%- endif -%}
{%- endif -%}
select * from {{ model }} where not holds
{% endtest %}
