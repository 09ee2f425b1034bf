# Half an hour is enough to know what is usual for a unit, and what may be a fault is not learnt as usual.
unit a customer=acme
at 0s        a answer 12ms
at 45m       a answer 12ms jitter 40ms
at 1h5m      expect case a P2 New
until 2h
