# All sentinels silent: the monitor itself is cut off. No case opens, the sum is paused, and goes on afterwards.
unit a customer=acme
units b- 1..50 customer=beta
sentinel gateway
sentinel core
at 0s        all answer 12ms
at 1h        a silent
at 1h5m      all silent
at 1h6m      expect verdict a INCONCLUSIVE
at 1h6m      expect verdict b-7 INCONCLUSIVE
at 3h        expect cases 0
at 3h        b-* answer 12ms
at 3h        sentinels answer 12ms
at 3h1m      expect verdict b-7 UP
at 3h4m50s   expect no case a
at 3h5m20s   expect case a P1 New
at 4h        expect cases 1
until 4h
