# A line whose latest probes are lost is not declared solved, though the loss is not confirmed yet.
config timeout=5s
unit a customer=acme
unit b customer=acme
at 0s        all answer 12ms
at 1h        all silent
at 2h        all answer 12ms
at 2h4m50s   all silent
at 2h5m      expect case a P1 New
at 2h5m30s   expect case a P1 New
at 2h14m     expect case a P1 New
# If the next one is answered, it is.
at 2h4m58s   b answer 12ms
at 2h5m      expect case b P1 New
at 2h5m1s    expect case b P1 Solved
until 3h
