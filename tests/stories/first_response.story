# A first response within half an hour: the letter that says that a case is open is none, and 30:00 is too late.
config first_response=30m update_p1=off
unit told customer=acme
unit silent customer=acme
unit late customer=acme
at 1h            told silent
at 1h            silent silent
at 1h            late silent
at 1h10m         expect cases 3
at 1h39m55s      case told update public An engineer looks at it.
at 1h39m59s      expect level silent none
at 1h40m10s      case late update public Too late.
at 1h40m20s      expect level told none
at 1h40m20s      expect level silent L1
at 1h40m20s      expect level late L1
at 5h            expect level silent L1
at 5h            expect level late L1
until 6h
