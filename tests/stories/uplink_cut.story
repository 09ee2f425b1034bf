# Our own sends fail: INCONCLUSIVE for everybody, no case, without any sentinel.
units a- 1..20 customer=acme
at 0s        all answer 12ms
at 1h        uplink cut
at 1h1m      expect verdict a-1 INCONCLUSIVE
at 3h        expect cases 0
at 3h        uplink mend
at 3h1m      expect verdict a-1 UP
at 4h        expect cases 0
until 4h
