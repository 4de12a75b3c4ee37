"""What surrounds the matter itself: greetings, ways to begin, moods, thanks and signatures. None tells a category."""

GREETINGS = {
    "email": """
Hello,
Dear {Quillmoor|customer service|service} team,
Good {morning|afternoon|evening},
Hi {there|everyone|all},
Dear Sir or Madam,
Hello {Quillmoor|dear people},
To whom it may concern,
""",
    "web form": """
Hello!
Hi,
Good {day|morning},
Dear team,
""",
    "chat": """
hi
hello
Hey,
good {morning|evening}
hi {there|again},
""",
    "app": """
Hi!
Hello,
Hey there,
""",
}

BEGINNINGS = """
I hope {you are well|that you can help me}.
{I have|Just} a {short|quick|small|silly} question.
Me again. {Sorry.|I wrote last week.|You know me by now.}
I am writing {about|because of} {order [order]|my last order|something that bothers me}.
{This is|It is} my {second|third} {message|mail} {about this|on the same matter}.
{I'll|I will} {keep it short|be brief}.
I {rarely|never} {complain|write such messages}, but {here we are|today I must}.
First of all: {I like your shop|I have been a happy customer for years}.
{Maybe|Perhaps} you can help {me|us} with {something|the following}.
{I was told|[agent] told me} to {write|turn} to you {with this|about it}.
{I tried|We tried} to {call|phone}, but {the line was busy|nobody picked up}.
{Please|Could you} pass this on to the right person{ if it is not you|}.
I am {not sure|unsure} whether I am right here.
Something {odd|strange} happened{ today| to me|}.
{Okay, so|So,} here is {my problem|what happened}.
{We are|I am} {new|an old customer} {here|at Quillmoor}.
I do not know {who else|whom} to ask.
"""

MOODS = {
    "polite": """
{I know|I am sure} you have a lot to do.
{I am|We are} {sure|certain} it can be {sorted|solved}.
{Sorry|I am sorry} for the {trouble|long text}.
I would be {glad|grateful} for {a quick answer|your help}.
{You|Your team} {helped|have helped} me so {well|kindly} {before|last time}.
{I hope|Hopefully} this is the right place to ask.
""",
    "calm": """
{No|There is no} {hurry|rush}.
{Take|You can take} your time.
It is nothing {urgent|bad}, I {just|only} want to know.
{I|We} {trust|count on} your advice.
{Just|Only} a {short|quick} word from you would {do|help me}.
""",
    "plain": """
That is all.
{I would like|I want} to {know|hear} {soon|this week}.
{I am at home all week if you have questions|If you have questions, write to me}.
{I can|I could} also {call|come by}.
{Maybe|Perhaps} I {overlooked|missed} something.
{I look|We look} forward to {your answer|hearing from you}.
A {short|quick} answer is enough.
""",
    "angry": """
{This is|It is} {not good enough|really annoying|a joke}.
{I am|We are} {quite|very|really} {disappointed|angry|upset}.
{I have|My family has} {had enough|lost patience}.
{Never|This is the last time that I order} {again|here}.
{How|Why} can {that|this} {be so hard|take so long}?
{I expect|I want} an answer {today|by tomorrow|now}.
{You|I thought you} used to be {better|a good shop}.
{Nobody|No one} {answers|seems to care}.
{That is|This is} {no way|not how} to treat {people|a customer}.
""",
}

# Somebody else is mentioned. The verbs after [she] have no present tense, so that they agree with she, he and they.
COMPANY = """
[who] told me to write, [she] had {good help|a quick answer} from you before.
I am writing for [who], because [she] {asked me to|could not do it today}.
I asked [who] first, but [she] {did not know|had no idea} either.
[who] and I {talked about it|looked at it together}, and [she] said that we should {ask|write to} you.
It is {really|all} for [who], so [she] will be glad about {an answer|your help}, too.
[who] {was there|saw it all} and could tell you the same.
[who] helped me {to write|with} this, English is not my first language.
You may {know|remember} [who], [she] ordered a lot from you {last year|in spring}.
When I am at work you can ask [who], I {told [her] everything|gave [her] all the papers}.
I promised [who] that I would {sort|solve} this {today|this week}, [she] could not wait.
[who] {read|heard} this {with me|first} and said that I should {be polite|keep it short}.
[who] {laughed at|smiled about} me, but I would {like|love} to know.
If you call, {ask for|you may speak to} [who], [she] will be at home.
I do not want to {disappoint|let down} [who], [she] counted on me.
[who] would have {called|come to your shop}, but [hers] day was too {full|short}.
[who] said that [hers] {last question|own message} was answered in an hour, so I {try|hope}.
"""

THANKS = """
Thanks!
Thank you.
Thanks in advance.
Many thanks
Thank you for {your help|reading this|your time}.
Thanks a lot
{Best|Kind|Warm} {wishes|regards}
{Best|Kind} regards,
Yours,
Greetings from [town]
Cheers
Have a {nice|good} {day|weekend}!
{Bye|See you}
Hope to hear from you.
Awaiting your reply.
"""
