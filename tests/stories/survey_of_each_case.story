# R62: a customer is asked after each case that closes, once, and can answer once, before the link ends (R63).
config interval=10s down_after=10m solve_after=5m p1=1h
surveys 2h
unit acme-1 customer=acme
unit bolt-1 customer=bolt
customer bolt survey=never

at 1h       acme-1 silent
at 1h       bolt-1 silent
at 1h20m    acme-1 answer 12ms
at 1h20m    bolt-1 answer 12ms
# Solved at 1h25m, closed an hour later.
at 2h24m59s expect surveys acme 0
at 2h25m10s expect case acme-1 P1 Closed
at 2h25m10s expect surveys acme 1
at 2h25m10s expect surveys bolt 0
at 2h30m    monitor crash
at 2h40m    monitor start
at 4h24m    survey acme-1 4 quick, but tell us sooner
at 4h24m    expect surveys acme 1

at 5h       acme-1 silent
at 5h20m    acme-1 answer 12ms
at 6h25m10s expect surveys acme 2
until 9h
