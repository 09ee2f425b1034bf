# R60, R55: nobody is on duty and management is told at once, by messenger if that works and by mail if not; and of its end.
unit a customer=acme
messenger boss takes=incidents
staff ann team=noc
route all team=noc
notify management boss mail
at 0s        all answer 12ms
at 30m       staff ann off
at 1h        a silent
at 1h10m1s   expect notices boss 1
at 1h10m1s   expect alerts 1
at 1h10m1s   expect letters management 0
at 2h        staff ann on
at 2h1s      expect notices boss 2
at 2h1s      expect alerts 0
until 3h
