# A line that is asked every five minutes can flap as well, also when its outages are far from a fault.
config interval=5m down_after=30m flaps=3/4h
unit a customer=acme
sentinel core
at 0s        all answer 12ms
at 1h        a silent
at 1h12m     a answer 12ms
at 1h40m     a silent
at 1h52m     a answer 12ms
at 2h20m     a silent
at 2h32m     a answer 12ms
at 3h        expect case a P2 New
until 4h
