# A case comes in and nobody is on duty: management hears of it at once, and once, until somebody is (R60). Who comes on is
# given what waits.
staff ann team=noc
staff bob team=noc
unit a customer=acme
unit b customer=acme
unit c customer=acme
route all team=noc
at 30m         staff ann off
at 31m         staff bob off
at 50m         expect no alarm unstaffed
at 1h          case a open P1
at 1h          expect alarm unstaffed
at 1h          expect letters management 1
at 1h          expect owner a nobody
at 1h          expect queue a noc
at 1h5m        case b open P1
at 1h5m        expect letters management 1
# What is on the disk is known after a crash.
at 1h10m       monitor crash
at 1h11m       monitor start
at 1h12m       expect alarm unstaffed
at 1h12m       case c open P1
at 1h12m       expect letters management 1
at 1h20m       staff bob on
at 1h20m       expect no alarm unstaffed
at 1h20m1s     expect owner a bob
at 1h20m1s     expect owner b bob
at 1h20m1s     expect owner c bob
at 1h20m1s     expect letters bob 3
at 1h20m1s     expect letters ann 0
at 1h20m1s     expect letters management 2    # all clear
until 2h
