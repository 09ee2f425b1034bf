# R58, R55: who is given a case hears of it once, by the way that he chose.
unit a customer=acme
messenger ann-phone
staff ann team=noc
staff bob team=noc skills=dsl
route all team=noc skill=dsl
notify bob ann-phone mail
at 0s        all answer 12ms
at 1h        a silent
at 1h10m1s   expect owner a bob
at 1h10m1s   expect notices ann-phone 1
at 1h10m1s   expect letters bob 0
at 1h20m     case a assign ann
at 1h20m1s   expect letters ann 1
at 1h30m     expect notices ann-phone 1
until 2h
