# R28 and ruling 3: the window counts observed time. Ten hours in which the daemon was down extend it by ten hours.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 2h        a answer 12ms
at 2h5m      expect case a P1 Solved
at 5h        monitor stop
at 15h       monitor start
at 36h4m59s  expect case a P1 Solved
at 36h5m15s  expect case a P1 Closed
until 37h
