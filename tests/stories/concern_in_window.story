# R29: a customer's concern within the window returns the case too; the window restarts.
unit a customer=acme
at 0s        all answer 12ms
at 1h        a silent
at 2h        a answer 12ms
at 10h       case a return customer says it is still slow
at 10h       expect case a P1 Working
# The line is up and has been: the watch does not settle a person's concern by that.
at 12h       case a solve replaced the cable
at 35h59m59s expect case a P1 Solved
at 36h       expect case a P1 Closed
until 37h
