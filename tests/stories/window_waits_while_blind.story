# The window is paused while the monitor is cut off.
unit a customer=acme
sentinel gateway
at 0s        all answer 12ms
at 1h        a silent
at 2h        a answer 12ms
at 3h        all silent
at 4h        all answer 12ms
at 27h4m55s  expect case a P1 Solved
at 27h5m25s  expect case a P1 Closed
until 28h
