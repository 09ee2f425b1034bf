# Staff plan a maintenance of a group, at short notice; the customers affected are told, and nobody else.
units a- 1..3 customer=acme supplier=telco-a
units b- 1..3 customer=beta supplier=telco-b
at 0s        all answer 12ms
at 1h        maintenance supplier=telco-a 2h..3h
at 1h        expect letters acme 1
at 1h        expect letters beta 0
at 1h        expect letters noc 0
at 2h5m      a-* silent
at 2h5m      b-1 silent
at 2h20m     expect no case a-1
at 2h20m     expect case b-1 P1 New
at 2h50m     a-* answer 12ms
at 4h        expect cases 1
until 4h
