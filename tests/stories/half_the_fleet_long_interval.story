# Asked every two minutes, half of the fleet is lost at once and the other half answers, by supplier: still not us.
config interval=2m
units a- 1..30 customer=acme supplier=telco-a
units b- 1..30 customer=beta supplier=telco-b
at 0s        all answer 12ms
at 1h        group supplier=telco-a silent
at 1h13m     expect cases 30
at 1h14m     expect umbrellas 1
at 1h14m     expect no alarm isolation
until 2h
