# R55: a pager that was alerted because the chat was down hears the end as well, though the chat is back by then.
unit a customer=acme
messenger chat
messenger pager takes=incidents
notify noc chat pager
at 0s        all answer 12ms
at 30m       messenger chat down
at 1h        a silent
at 1h11m59s  expect notices pager 0
at 1h12m1s   expect notices pager 1
at 1h12m1s   expect alerts 1
at 1h30m     messenger chat up
at 1h50m     expect notices chat 1
at 2h        a answer 12ms
at 2h5m1s    expect notices chat 2
at 2h5m1s    expect notices pager 2
at 2h5m1s    expect alerts 0
until 3h
