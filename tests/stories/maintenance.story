# A loss within a maintenance window opens nothing; what comes back within it is well.
node pop-lon
units a- 1..10 customer=acme upstream=pop-lon
unit b customer=beta
maintenance pop-lon 2h..4h emergency
at 0s        all answer 12ms
at 1s        expect letters acme 1
at 1s        expect letters beta 0
at 2h5m      pop-lon silent
at 2h5m      a-* silent
at 3h        expect verdict a-3 LOSS
at 3h50m     pop-lon answer 12ms
at 3h50m     a-* answer 12ms
at 5h        expect cases 0
at 5h        expect umbrellas 0
at 5h        expect letters acme 1
until 6h
