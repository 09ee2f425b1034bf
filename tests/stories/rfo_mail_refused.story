# R32: while no mail server takes the reason for outage, the case stays solved; a fault meanwhile is the same case's.
config p1=10m rfo_p1=required
unit acme-lon-1 customer=acme
at 0s     acme-lon-1 silent
at 15m    acme-lon-1 answer 12ms
at 25m    mail refuse
at 31m    expect case acme-lon-1 P1 Solved
at 3h     expect case acme-lon-1 P1 Solved
at 3h     expect letters acme 3
at 3h1m   acme-lon-1 silent
at 3h15m  expect case acme-lon-1 P1 Working
at 3h16m  acme-lon-1 answer 12ms
at 3h30m  expect case acme-lon-1 P1 Solved
at 4h     mail accept
# What was solved the second time has an account of its own: opened, solved, rfo, returned, solved, rfo, closed.
at 5h     expect case acme-lon-1 P1 Closed
at 5h     expect letters acme 7
at 5h     expect cases 1
