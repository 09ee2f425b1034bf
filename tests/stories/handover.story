# At the moment when the shift passes on, open cases of whoever is out of shift go to those who are in it; one who speaks the
# customer's language before all else.
customer acme languages=es
shift lon 0s
shift nyc 8h
staff ann team=noc centre=lon
staff liz team=noc centre=lon
staff nat team=noc centre=nyc
staff ned team=noc centre=nyc languages=es
staff tom team=tac centre=lon
staff zoe team=noc
unit a customer=acme
unit b customer=bolt
unit c customer=bolt
unit d customer=bolt
unit e customer=bolt
route all team=noc
at 1h          case a open P1
at 1h          expect owner a ann
at 2h          case b open P2
at 2h          case b take
at 2h          expect owner b story           # no one of the staff: nobody knows his shift
at 3h          case c open P2
at 3h          case c assign zoe
at 4h          case d open P2
at 4h          case d assign tom
at 5h          case e open P1
at 5h          case e assign liz
at 5h          case e solve
at 7h59m59s    expect owner a ann
at 7h59m59s    expect owner d tom
at 8h          expect owner a ned
at 8h          expect owner b story
at 8h          expect owner c zoe             # she works at any hour
at 8h          expect owner d tom             # nobody of his team is in shift: he goes on
at 8h          expect owner e liz             # solved: there is nothing to be done
at 8h1m        expect letters ned 1
at 9h          case e return
at 9h          expect owner e liz
until 10h
