# A line is lost for long enough, comes back, stays up, and its case closes. Rows R1, R2, R7, R11, R27, R28.
config down_after=10m interval=10s solve_after=5m
unit acme-lon-1 customer=acme
at 0s        all answer 12ms
at 1h        acme-lon-1 silent
at 1h9m59s   expect no case acme-lon-1
at 1h10m     expect case acme-lon-1 P1 New
at 2h        acme-lon-1 answer 12ms
at 2h4m59s   expect case acme-lon-1 P1 New
at 2h5m      expect case acme-lon-1 P1 Solved
at 26h4m59s  expect case acme-lon-1 P1 Solved
at 26h5m     expect case acme-lon-1 P1 Closed
until 30h
