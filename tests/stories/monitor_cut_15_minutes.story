# The monitor's uplink is cut for a quarter of an hour: nothing opens, one alarm and one all-clear, and all goes on.
units a- 1..50 customer=acme
unit down customer=beta
at 0s        all answer 12ms
at 57m       down silent
at 1h        uplink cut
at 1h1m      expect verdict a-3 INCONCLUSIVE
at 1h14m     expect alarm isolation
at 1h15m     uplink mend
at 1h16m     expect verdict a-3 UP
at 1h16m     expect no alarm isolation
at 1h21m     expect no case down
at 1h23m     expect case down P1 New
at 1h23m     expect cases 1
at 1h23m     expect letters acme 0
at 1h23m     expect letters noc 3
until 2h
