# Setting the wall clock moves no deadline.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h5m      clock +1h
at 1h9m59s   expect no case a
at 1h10m     expect case a P1 New
at 2h        a answer 12ms
at 2h5m      expect case a P1 Solved
at 3h        clock -1h
at 10h       clock -1h
at 26h4m59s  expect case a P1 Solved
at 26h5m     expect case a P1 Closed
until 27h
