# One lost probe is no LOSS: the quick re-probes are answered.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 1h1500ms  a answer 12ms
at 1h10s     expect verdict a UP
# Three in a row are, dated back to the first.
at 2h        a silent
at 2h2999ms  expect verdict a UP
at 2h3s      expect verdict a LOSS
at 2h5m      a answer 12ms
at 2h6m      expect verdict a UP
at 2h6m      expect cases 0
until 2h10m
