# What staff promise on a supplier's behalf, only his word keeps: news for the customer do not.
config first_response=off
unit a customer=acme
unit b customer=beta
at 1h          case a open P2
at 1h          case b open P2
at 1h          case a promise supplier 2h
at 1h          case b promise supplier 2h
at 2h          case a update public We have asked our supplier.
at 2h59m59s    case b supplier The port is reset.
at 3h          expect level a L1
at 3h          expect level b none
until 10h
