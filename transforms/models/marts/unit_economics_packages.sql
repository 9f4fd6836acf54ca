-- What each package brought in and cost in a month; revenue of plans and services, and cost without a package, is no package's.
{{ unit_economics('package_id') }}
