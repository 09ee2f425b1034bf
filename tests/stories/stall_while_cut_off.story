# Nobody vouches for our own side, and everything is lost. After a pause or a restart of the monitor nobody was asked yet:
# that mends nothing. The alarm ends when most are back.
units a- 1..60 customer=acme
at 0s        all answer 12ms
at 1h        all silent
at 1h5m      expect alarm isolation
at 1h10m     monitor suspend
at 1h12m     monitor resume
at 1h12m1s   expect verdict a-7 UNOBSERVED
at 1h12m1s   expect alarm isolation
at 1h14m     expect verdict a-7 INCONCLUSIVE
at 1h15m     monitor stop
at 1h17m     monitor start
at 1h17m5s   expect alarm isolation
at 1h19m     expect verdict a-7 INCONCLUSIVE
at 1h20m     expect letters noc 1
at 1h20m     all answer 12ms
at 1h21m     expect verdict a-7 UP
at 1h21m     expect no alarm isolation
at 1h21m     expect letters noc 2
at 3h        expect cases 0
at 3h        expect letters acme 0
until 3h
