# Six short cuts of our own uplink within ten minutes, and nobody vouches for us: nobody's line flaps by that, and we are
# told. A line that flaps by itself in the same hour has its P2.
units a- 1..40 customer=acme
unit own customer=beta
at 0s        all answer 12ms
at 1h        all silent
at 1h20s     all answer 12ms
at 1h1m40s   all silent
at 1h2m      all answer 12ms
at 1h3m20s   all silent
at 1h3m40s   all answer 12ms
at 1h5m      all silent
at 1h5m20s   all answer 12ms
at 1h5m30s   expect alarm impaired
at 1h6m40s   all silent
at 1h7m      all answer 12ms
at 1h8m20s   all silent
at 1h8m40s   all answer 12ms
at 1h12m     expect cases 0
at 1h12m     own silent
at 1h13m     own answer 12ms
at 1h22m     own silent
at 1h23m     own answer 12ms
at 1h31m     expect no alarm impaired
at 1h32m     expect cases 0
at 1h32m     own silent
at 1h33m     own answer 12ms
at 1h34m     expect case own P2 New
at 1h34m     expect cases 1
until 2h
