# R62: every third letter about closed cases brings a survey, also if the daemon is started anew in between.
config interval=10s down_after=10m solve_after=5m p1=1h
surveys 30d
customer acme survey=every-3rd
unit acme-1 customer=acme

at 1h       acme-1 silent
at 1h20m    acme-1 answer 12ms
at 2h26m    expect surveys acme 0
at 3h       acme-1 silent
at 3h20m    acme-1 answer 12ms
at 4h26m    expect case acme-1 P1 Closed
at 4h26m    expect surveys acme 0
at 4h30m    monitor stop
at 4h31m    monitor start
at 5h       acme-1 silent
at 5h20m    acme-1 answer 12ms
at 6h24m59s expect surveys acme 0
at 6h26m    expect surveys acme 1
at 7h       acme-1 silent
at 7h20m    acme-1 answer 12ms
at 8h26m    expect case acme-1 P1 Closed
at 8h26m    expect surveys acme 1
