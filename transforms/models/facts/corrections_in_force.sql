-- What the corrections known and dated before as_of amount to, per target.
{%- for stream in streams() %}
{% if not loop.first %}union all{% endif %}
select '{{ stream }}' as stream, in_force.*
from (
    {{ corrections_in_force("(select * from " ~ ref('fct_corrections') ~ " where stream = '" ~ stream ~ "')", as_of()) }}
) as in_force
{%- endfor %}
