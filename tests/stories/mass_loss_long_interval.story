# Asked every two minutes, the last ones are found lost two minutes after the first, and all the same they were lost at
# one moment: that is us.
config interval=2m
units a- 1..60 customer=acme
at 0s        all answer 12ms
at 1h        all silent
at 1h5m      expect verdict a-7 INCONCLUSIVE
at 1h15m     expect cases 0
at 1h15m     expect alarm isolation
at 1h15m     all answer 12ms
at 1h20m     expect verdict a-7 UP
at 1h20m     expect no alarm isolation
at 3h        expect letters acme 0
until 3h
