# R29: the fault within the window returns the same case; the window starts anew at the next Solved.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 2h        a answer 12ms
at 2h5m      expect case a P1 Solved
at 20h       a silent
at 20h9m59s  expect case a P1 Solved
at 20h10m    expect case a P1 Working
at 21h       a answer 12ms
at 21h5m     expect case a P1 Solved
at 45h4m59s  expect case a P1 Solved
at 45h5m     expect case a P1 Closed
at 45h5m     expect cases 1
until 46h
