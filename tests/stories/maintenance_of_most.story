# Most of the fleet is silent within a planned maintenance, and nobody vouches for our own side: that was expected, and is
# not us. What is still down when it ends has its case.
units a- 1..30 customer=acme supplier=telco-a
units b- 1..10 customer=beta supplier=telco-b
maintenance supplier=telco-a 2h..4h emergency
maintenance supplier=telco-b 2h..4h emergency
at 0s        all answer 12ms
at 2h5m      all silent
at 2h8m      expect verdict a-3 LOSS
at 2h20m     expect verdict b-3 LOSS
at 2h20m     expect no alarm isolation
at 3h50m     a-* answer 12ms
at 3h50m     expect no alarm isolation
at 3h59m     expect cases 0
at 4h1m      expect no alarm isolation
at 4h1m      expect cases 10
at 4h1m      expect case b-3 P1 New
at 4h1m      expect no case a-3
until 5h
