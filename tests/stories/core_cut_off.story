# The gateway answers and nothing beyond it: our core is cut off. One alarm, no case.
unit a customer=acme
sentinel gw place=gateway
sentinel core1 place=core
sentinel far1
at 0s        all answer 12ms
at 1h        core1 silent
at 1h        far1 silent
at 1h        a silent
at 1h1m      expect verdict a INCONCLUSIVE
at 1h20m     expect cases 0
at 1h20m     expect alarm isolation
at 1h20m     core1 answer 12ms
at 1h20m     a answer 12ms
at 1h21m     expect verdict a UP
at 1h21m     expect no alarm isolation
until 2h
