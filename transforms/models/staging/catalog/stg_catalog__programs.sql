-- Partner programs of every catalog version, with the time in which the version rules (half-open; NULL is open).
select
    programs.version as version,
    settings.effective_from as effective_from,
    settings.effective_to as effective_to,
    programs.program_id as program_id,
    programs.zone as zone,
    programs.attribution as attribution,
    programs.attribution_window_days as window_days,
    programs.hold_days as hold_days,
    programs.hold_months as hold_months
from {{ catalog_source('catalog_programs') }} as programs
inner join {{ catalog_source('catalog_settings') }} as settings on programs.version = settings.version
