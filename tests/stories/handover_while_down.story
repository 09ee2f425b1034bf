# A shift that passed on while nobody watched is handed over at the start; a restart in a shift hands nothing over.
shift lon 0s
shift nyc 8h
staff ann team=noc centre=lon
staff nat team=noc centre=nyc
unit a customer=acme
unit b customer=acme
route all team=noc
at 1h          case a open P1
at 1h          expect owner a ann
at 2h          case b open P2
at 2h          case b assign nat              # she is not in shift, and was asked all the same
at 3h          monitor stop
at 3h1m        monitor start
at 3h2m        expect owner b nat
at 7h          monitor crash
at 9h          monitor start
at 9h          expect owner a nat
at 9h          expect owner b nat
at 9h1m        expect letters nat 2
until 10h
