# Everything is lost at once, and nobody vouches for our own side: that is us. No case, no letter to customers, one alarm,
# and the sums go on from where they stood.
units a- 1..60 customer=acme
unit lost customer=beta
at 0s        all answer 12ms
at 55m       lost silent
at 1h        all silent
at 1h1m      expect verdict a-7 INCONCLUSIVE
at 1h15m     expect cases 0
at 1h15m     expect alarm isolation
at 1h15m     expect letters noc 1
at 1h15m     a-* answer 12ms
at 1h16m     expect verdict a-7 UP
at 1h16m     expect no alarm isolation
at 1h16m     expect letters noc 2
at 1h19m     expect no case lost
at 1h21m     expect case lost P1 New
at 3h        expect letters acme 0
at 3h        expect cases 1
until 3h
