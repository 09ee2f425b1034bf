# The first rule that fits gives the case to the one who fits best: skill, then language, then who has least to do, then by id.
customer acme languages=fr
staff ann team=noc languages=en,fr
staff bob team=noc languages=en
staff tom team=tac skills=bgp
staff tea team=tac
unit a customer=acme
unit b customer=acme service=MPLS
unit c customer=bolt
unit d customer=bolt
unit e customer=bolt
route mpls service=MPLS team=tac skill=bgp
route rest team=noc
at 1h          a silent
at 1h          b silent
at 1h          c silent
at 1h10m5s     expect case a P1 New
at 1h10m5s     expect queue a noc
at 1h10m5s     expect owner a ann             # she speaks French
at 1h10m5s     expect owner b tom             # he has the skill
at 1h10m5s     expect owner c bob             # nobody asks for a language, and ann has a case
at 1h10m5s     expect letters ann 1
at 1h10m5s     expect letters tom 1
at 1h10m5s     expect letters tea 0
# One each: the first by id.
at 2h          case d open P2
at 2h          expect owner d ann
at 3h          case a solve
at 3h          a answer 12ms
at 3h1m        case e open P2
at 3h1m        expect owner e ann             # a solved case is no load
at 4h          expect letters ann 3
at 4h          expect no alarm unstaffed
until 5h
