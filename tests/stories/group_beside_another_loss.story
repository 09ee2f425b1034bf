# Eight lines of one supplier fail together, just after a line with which they have nothing in common: what is found for
# that one says nothing of them. One umbrella over the eight, one letter.
config interval=2s
units a- 1..8 customer=acme supplier=telco-a
units b- 1..100 customer=beta supplier=telco-b
at 0s        all answer 12ms
at 59m59s    b-14 silent
at 1h        group supplier=telco-a silent
at 1h11m     expect cases 9
at 1h12m     expect umbrellas 1
at 1h12m     expect letters acme 1
at 1h12m     expect letters beta 1
until 2h
