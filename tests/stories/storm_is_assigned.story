# Many cases under one umbrella are shared out evenly, and each hears of his with one letter.
staff ann team=noc
staff bob team=noc
sentinel s
units a- 1..40 customer=acme upstream=pop
route all team=noc
at 1h          pop silent
at 1h          a-* silent
at 1h12m       expect umbrellas 1
at 1h12m       expect cases 40
at 1h12m       expect letters ann 1
at 1h12m       expect letters bob 1
until 2h
