# Five hundred lines at once: five hundred cases, each its own.
config down_after=10m interval=10s solve_after=5m
node pop-lon
units acme-lon- 1..500 customer=acme upstream=pop-lon
at 0s        all answer 12ms
at 1h        acme-lon-* silent
at 1h9m59s   expect cases 0
at 1h10m11s  expect cases 500
at 1h20m     acme-lon-1* answer 12ms
at 1h30m     expect case acme-lon-17 P1 Solved
at 1h30m     expect case acme-lon-22 P1 New
until 2h
