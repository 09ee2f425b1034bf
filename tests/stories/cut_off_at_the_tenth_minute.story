# The uplink breaks five seconds before the ten minutes of a real loss are full: nothing opens until it is mended.
unit a customer=acme
sentinel gateway
at 0s        all answer 12ms
at 1h        a silent
at 1h9m55s   gateway silent
at 2h        expect no case a
at 2h        expect verdict a INCONCLUSIVE
at 2h        gateway answer 12ms
at 2h1m      expect case a P1 New
until 3h
