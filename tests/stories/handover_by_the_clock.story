# Shifts are by the wall clock: when somebody sets it, they come that much earlier.
shift lon 0s
shift nyc 8h
staff ann team=noc centre=lon
staff nat team=noc centre=nyc
unit a customer=acme
route all team=noc
at 1h          case a open P1
at 2h          clock +1h
at 6h59m59s    expect owner a ann
at 7h          expect owner a nat
until 8h
