# R62: one letter about all lines of a customer under an umbrella brings one survey.
config interval=10s down_after=10m solve_after=5m p1=1h
surveys 30d
node pop-lon
units acme- 1..4 customer=acme upstream=pop-lon
units bolt- 1..4 customer=bolt upstream=pop-lon

at 1h    pop-lon silent
at 1h    acme-* silent
at 1h    bolt-* silent
at 1h20m all answer 12ms
at 3h    expect case acme-1 P1 Closed
at 3h    expect case acme-4 P1 Closed
at 3h    expect surveys acme 1
at 3h    expect surveys bolt 1
at 4h    survey acme-1 5
