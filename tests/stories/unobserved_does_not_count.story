# Time in which the daemon did not run neither counts nor resets: 4 min of loss before, 6 min after.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h4m      monitor stop
at 5h        monitor start
at 5h5m59s   expect no case a
at 5h6m      expect case a P1 New
until 6h
