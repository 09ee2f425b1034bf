# A trap is a witness, never a verdict: it brings the next probe forward.
unit a customer=acme interval=5m
unit b customer=acme
at 0s        all answer 12ms
at 1h        a trap linkDown
at 1h        b trap coldStart
at 1h        b trap authenticationFailure
at 1h5m      expect verdict a UP
at 2h1s      a silent
at 2h2s      a trap linkDown
at 2h10s     expect verdict a LOSS
at 2h9m      a answer 12ms
at 3h        expect cases 0
until 3h
