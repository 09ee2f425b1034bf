# A loss within the window that is no fault (under 10 min) does not return the case, and the window goes on.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 2h        a answer 12ms
at 10h       a silent
at 10h9m50s  a answer 12ms
at 11h       expect case a P1 Solved
at 26h4m59s  expect case a P1 Solved
at 26h5m     expect case a P1 Closed
until 27h
