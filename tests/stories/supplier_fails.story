# Lines of one supplier fail together: an umbrella over the group, found by what failed. Others are none of its business.
units a- 1..30 customer=acme supplier=telco-a region=north
units b- 1..30 customer=beta supplier=telco-b region=north
units c- 1..30 customer=acme supplier=telco-a region=south
sentinel gateway
at 0s        all answer 12ms
at 1h        group supplier=telco-a silent
at 1h11m     expect umbrellas 1
at 1h11m     expect cases 60
at 1h12m     expect letters acme 1
at 1h12m     expect letters beta 0
at 1h12m     expect no case b-1
at 2h        group supplier=telco-a answer 12ms
at 2h11m     expect letters acme 2
until 3h
