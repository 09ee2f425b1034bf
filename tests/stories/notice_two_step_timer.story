# R57, R55: too long, and again too long: each step is told once, in its order, to whoever has a messenger by that.
unit a customer=acme
messenger tac
messenger rnd
staff tess team=tac
staff rob team=rnd
routing escalate_after=4h escalation_team=tac second_after=4h development_team=rnd
notify tess tac mail
notify rob rnd mail
at 0s        all answer 12ms
at 1h        a silent
at 5h9m59s   expect notices tac 0
at 5h10m10s  expect notices tac 1
at 9h9m59s   expect notices rnd 0
at 9h10m10s  expect notices rnd 1
at 12h       expect notices tac 1
at 12h       expect letters tess 0
until 13h
