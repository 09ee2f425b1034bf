# What happened? The witnesses of an outage: the box restarted, or ran on all the time.
unit power customer=acme
unit line customer=acme
at 0s        all answer 12ms
at 30m       all reboot
at 1h        power silent
at 1h        line silent
at 2h        power reboot
at 2h        power answer 12ms
at 2h        line answer 12ms
at 2h6m      expect case power P1 Solved
at 2h6m      expect case line P1 Solved
until 3h
