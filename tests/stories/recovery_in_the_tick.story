# The last probe before the ten minutes are full is answered: no case, also when the answer takes until that very tick.
config rtt=off rtt_factor=off   # a whole second is slow, and not the matter here
unit a customer=acme
at 0s        a answer 1s
at 1h        a silent
at 1h9m58s   a answer 999ms
at 1h10m     expect no case a
at 1h10m1s   expect verdict a UP
until 2h
