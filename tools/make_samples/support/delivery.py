"""Delivery: where a parcel is, when it comes and how it is sent."""

from __future__ import annotations

from .topic import Topic

LATE = Topic(
    name="late",
    situations="""
I ordered [a_item] [ago] and {it still has not come|nothing has come so far|I am still waiting}. @123456/123456
My order [order] was {promised|planned} for [day], and here we are with {nothing|empty hands}. @3456/1236
You {said|wrote} three working days. It has been {more than a week|nine days|eleven days} now. @345/1236
The [item] for [who] should have {been here|come} [when], and [she] had to leave without [it]. @356/136
I paid {extra |}for the fast service so that the [item] would be here [when]. {It is not.|No luck.} @1356/1256
We {stayed at home|waited in} all day on [day] for the [item] and nobody {rang|came}. @1234/12356
Your confirmation says that my [item] would be {sent|on the way} within a day, but {that was|I got it} [ago]. @135/1346
I have been {very |}patient, but [a_item] cannot take {a month|five weeks} to {get here|cross the country}. @1346/13456
{Our trip starts on [day]|We leave on [day]} and the [item] that we bought for it [is] nowhere to be seen. @356/12456
My friends ordered on the same day as me and have theirs. I am {still waiting|the only one without}. @35/1236
Every morning a new date, every evening {no parcel|nothing}. I mean order [order]. @46/36
The money left my bank {at once|the same day}, the [item] [has] not left your {warehouse|shelf} yet. @1235/1356
""",
    details="""
{The holiday|My holiday} is close and I {need|really need} [it] for that.
It was meant as a {birthday present|present} for [who], and the day has passed.
Nobody {wrote to me|told me} about a delay.
I can live with a delay, but I {would like to|want to} know about it.
The shop {page|site} still shows "{in progress|being packed}".
[agent] on the phone said [day], and that was {last week|days ago}.
""",
    asks="""
When will the parcel {be here|come}?
Can you {tell me|find out} where my order is?
Please {let me know|tell me} a day that I can {count on|trust}.
Is there any chance to have [it] [when]?
Should I {keep waiting|wait} or buy [one] {in town|elsewhere}?
Could somebody {look into this|check what went wrong}?
""",
    shorts="""
where [is] my [item]?? ordered [ago]
Order [order] is {late|overdue}, any news?
How much longer do I have to wait for the [item]?
Still no [item]. {What is going on?|What happened?}
Hi, {any idea|do you know} when order [order] {gets here|will arrive}?
""",
)

NOT_THERE = Topic(
    name="marked as delivered",
    situations="""
It says {delivered|handed over} since [day], but I {have nothing|never got it}. @1345/123456
According to the e-mail my [item] [was] "left in a safe place". {Which place?|I have looked everywhere.} @134/13456
The status of [order] is "received by customer". I am the customer and I {received nothing|did not}. @1345/2345
Somebody signed for my parcel [ago], and it was not me. @2345/2345
I was at home when your driver {says|claims} to have {rung|come}, and {the bell works|my dog would have known}. @45/1356
A card in my letter box says that a neighbour took it, but {none of them did|no name is written on it}. @156/125
[who] asked everybody in the house, and nobody has the [item] that [was] meant for us. @345/12346
I {got|have} a photo of my [item] in front of a door, but that is not {my door|our house}. @345/1356
The pick-up point never {saw|had} a box for me, {while|and} your mail says that it is {ready|waiting} there. @45/345
My [item] [was] given to number {14|41|7|17}, and I live at number {4|1|70|71}. @45/1356
We came {home|back} on [day]: the note says that the box is in the shed, but {it is empty|nothing is}. @34/1346
On paper I own the [item] since [since]. In real life {I do not|there is no trace of [it]}. @45/456
""",
    details="""
I {checked|asked} at three doors, in the cellar and behind the {bins|house}.
The signature looks nothing like mine or that of [who].
We had a {theft|stolen box} in our street {before|this spring}, so I am a little worried.
{It was not cheap|That was [amount]}, so I would like this cleared up.
The driver's company sends me back to you, and you send me back to them.
I can send you a {copy|picture} of the card.
""",
    asks="""
Can you ask the driver where [they] [was] left?
Who {signed|took it}?
What happens now, will you send {it|another one} again?
Please start a search with the carrier.
How do we {go on|sort this out} from here?
Will I get my [item] or {not|do I have to buy [it] again}?
""",
    shorts="""
Status says {delivered|handed over}, but there is no parcel {here|at my house}.
who took my parcel? i was home all day
Not at my neighbour's, not in the shed, not with me. Where did you {leave|put} the [item]?
Your driver left [order] {somewhere|with someone}, just not {here|with us}.
It {apparently arrived|came} [ago] but I {don't|do not} have it
""",
)

TRACKING = Topic(
    name="tracking",
    situations="""
The tracking {page|link} has shown the same line since [day]: "{leaving our hub|in the sorting centre}". @1256/1236
I {got|have} a number for my parcel, but the carrier does not know it. @256/24
First it was in [town], then in [town2], and now {in [town] again|back at the start}. @1256/135
The link in your mail {leads nowhere|opens an empty page}, so I {have no idea|cannot see} where my [item] [is]. @246/124
Two {numbers|codes} for one order, and they do not agree. One says [town], one says {tomorrow|on its way back}. @24/124
Since [since] there has been no scan {at all|of my box}, and that {worries me|makes me nervous}. @1256/1236
The map shows my [item] two streets away, {and that for three days|since [day]}. @1345/1256
I {cannot|can't} find a number to follow my order [order] {anywhere|in any of your mails}. @246/4
It said "out for delivery" {all day|from seven to ten}, and in the evening it {jumped back|went back} to "in
  transit". @246/1235
{According to|If I believe} the carrier, the box with my [item] weighs {half a kilo|nearly nothing}. Is it empty? @26/25
The tracking asks for a postcode and {does not take mine|says that mine is wrong}. @24/245
{Status|It says} "address not found", and yet you have {come|sent things} here for years. @24/15
""",
    details="""
I look at it {every hour|far too often}, I admit.
The carrier's line only plays music.
Until now it was always {right|correct to the hour}.
[who] ordered a day later and [hers] box is {already here|long here}.
I have to plan my week {around it|because somebody must be in}.
No mail, no text, nothing new.
""",
    asks="""
Where is it really?
Can you see more than I can?
Is {this|that} normal, or is it lost?
Could you give me the right number?
Do I need to {do|prepare} anything?
Please {check|ask} if it is still moving.
""",
    shorts="""
Tracking {stuck|not moving} since [day], is it {lost|ok}?
can i get a tracking number for [order] pls
My parcel has been in [town] for {six|five|eight} days. {Why?|Is it on holiday?}
The carrier does not know the number you gave me.
It {was|is} "out for delivery" again. {Third|Fourth} day {in a row|now}.
""",
)

CHANGE = Topic(
    name="change of place or day",
    calm=True,
    situations="""
I just ordered [a_item] and {put in|chose} my old address {by mistake|out of habit}. @12/15
We are moving {to [town] |}on [day], and the order is {still open|not sent yet}. @25/156
I will not be {home|in} on [day], so nobody can take the box. @3456/24
Could you send [order] to my {office|work place} {instead|and not to my flat}? @456/156
The house number is missing in my order. It {should be|is} number {12|8|33|27}. @125/1356
[who] will be in all week, so it would be {easier|better} if the [item] went to [her]. @456/156
I would {rather|like to} pick the [item] up at your shop {after all|than wait at home}. @1/16
My order goes to a farm, and drivers {often miss|never find} the lane. They must turn at the white barn. @34/36
Please do not send it before [day], because {we are away|the house is empty} until then. @15/26
There are two people with my last name in this house. The box has to go to the {upper|second} floor. @3/35
We ordered to the {camping ground|holiday flat} in [town], but had to {leave|go home} early. @56/126
I gave the wrong postcode: the {last|first} two digits are {swapped|the wrong way round}. @125/156
""",
    details="""
The confirmation came {ten minutes|an hour} ago, so it {should|must} still be possible.
My profile {already shows|has} the right one, only this order does not.
Last time it went back to you {for that reason|because of this}.
It is quite heavy and I cannot carry it {far|home from the depot}.
The carrier {says|told me} that only the sender can {change|do} that.
I do not mind {if it takes|waiting} a day longer.
""",
    asks="""
Is it too late to change {this|that}?
Can you {stop it|hold it back} for {some days|a few days}?
Could you {note that|write that} on the label?
Can {the driver|they} leave it with the {baker|shop} next door?
Please {confirm|tell me} that it goes to the right place.
Whom do I have to {call|tell}?
""",
    shorts="""
Wrong {street|address} on order [order], can you {still |}change it?
can you deliver on [day] instead? nobody home before
Please leave the parcel with [who] next door.
Can I collect the [item] myself {somewhere|in [town]}?
I typed the wrong house number, {help|what now}?
""",
)

DRIVER = Topic(
    name="how it was brought",
    situations="""
Your driver threw the box over {the gate|our fence}, and I {saw it|watched it land}. @12346/12456
The parcel {stood|was left} in the rain for {hours|a whole day}, although we have a porch. @1234/12346
The man with the van was {really|truly} kind and carried the [item] up four floors. Please thank him. @-/1
The woman who brings your parcels always {waits for my mother at the door|has time for a word}. I like that. @-/1
My box was put on top of the bins {again|, for everyone to see}. @134/12346
The carrier {rang|pressed the bell} once and was gone before I {was|got} down the stairs. @13456/12346
The outer box came {open|half open} and with somebody else's label on it, though the [item] inside [is] fine. @14/1456
I asked for a quiet {hand-over|drop}, and at six in the morning somebody was {hammering|banging} on my door. @136/1346
My parcel lay in front of the garage, and {I nearly drove over it|[who] nearly drove over it}. @12346/1346
They left a card although I was in and {waving from the window|standing in the garden}. @13456/12346
The box had a {boot print|big dent} on it, but luckily {all is whole inside|nothing broke}. @146/1456
I had to go to a depot {an hour|forty minutes} away, because the driver had "no time" for our road. @134/12456
""",
    details="""
This was not the first time with this {company|carrier}.
The [item] {survived|made it}, so this is only about the service.
[who] had the same {trouble|story} with another shop.
I know that it is not your own van, but you choose {the company|them}.
Our door has a bell, a light and a name {plate|on it}.
I do not want anybody {to lose work|in trouble} over this.
""",
    asks="""
Could you {tell|say that to} the carrier?
Can I choose another {carrier|company} next time?
Is there a way to leave a note for {the driver|them}?
What can be done so that it {does not|won't} happen again?
Who is {responsible|in charge} for this?
Please take {care of it|it up with them}.
""",
    shorts="""
Parcel left in the rain again. {Please do something.|Not great.}
your driver did not even ring the bell
The driver was {so nice|very friendly} today, please tell them!
Box thrown over the fence. {Really?|Is that how you do it?}
Why is my box {always|once more} on the {bins|rubbish}?
""",
)

OPTIONS = Topic(
    name="ways of sending",
    calm=True,
    situations="""
I live on an island and would like to {order|buy} [a_item]. The ferry only comes {twice a week|on [day]}. @12345/1234
Before I {order|buy} I would like to know how the [item] [is] sent. @14/46
I am thinking of [a_item] for [who], who lives {abroad|in another country}. @1346/1234
We need [a_item] for each of {ten|twelve} children on a school trip, all {on one day|in one go}. @25/124
I {saw|read} that large things come by truck. {We|I} have only a small lift and a narrow stair. @4/56
Your page speaks of {standard|normal} and express, but not of the {weekend|evenings}. @45/14
{I would like|I'd like} to send the [item] to a parcel locker near the station in [town]. @14/134
We travel from place to place this {summer|spring} and have no fixed address. @24/12
The [item] [is] a {surprise|present}, so {the box should not show what is inside|nobody at home must see the box}. @5/5
I wonder whether you {can put|would put} two orders in one box, [order] and the one from today. @4/14
If I order today, I {would|will} need the [item] [when]. @145/124
We have a {club house|mountain hut} without a street name, only a {map point|hill}. @134/1234
""",
    details="""
The {basket|cart} asks for it only at the very end, so I {ask|am asking} first.
Speed is less important to me than {a sure day|knowing the day}.
Other shops refuse {to come here|that}.
I read the help page, but it {left me|made me} unsure.
It may cost a little more, that is {fine|all right}.
[she] will be there only until [day].
""",
    asks="""
Is that possible, and how long does it take?
Which {service|way} would you {choose|take}?
Do you {send|ship} there {at all|too}?
What would the {postage|shipping} be?
Can I {choose|pick} the hour?
Does somebody have to be {in|at home} for it?
""",
    shorts="""
Do you {deliver|send} to {islands|mountain huts|other countries}?
is express really next day? need the [item] [when]
How long does {shipping|sending} to [town] take?
Can I have the [item] sent to a parcel {locker|shop}?
Do you {bring|deliver} on Saturdays?
""",
)

PART = Topic(
    name="part of an order",
    situations="""
My box came today, but the [item2] [2is] missing. The [item] {is in there|I have}. @123456/123456
I ordered {three|four|five} things and only {one|two} of them {came|arrived}. @135/1245
The packing {slip|list} shows the [item], the box {does not|has only paper in it}. @2346/2346
You sent the [item2] {first|alone}, {and not a word|without a word} about the [item]. @56/145
One of two {boxes|parcels} is here. The other {seems|is} {lost|on a world tour}. @15/5
The order is {shown as|called} complete, although the [item] [has] never {come|been sent}. @1/234
Of the {two|three} [item2] orders I made, you sent only the {first|last}. @15/345
There was a note that the rest follows [when]. It {did not|never came}. @156/2345
My [item] came without the {bag|straps|pegs|cord} that should be {with [it]|in the box}. @2346/236
I {would have liked|wanted} everything together, and now I have had {three|four} small boxes with one thing each. @-/-
I {have|got} the half of order [order] that I do not need yet, and not the [item] that I need {now|on [day]}. @16/1245
The box was {so light|half empty} that I {feared|guessed} it: no [item] inside. @123/2346
""",
    details="""
All of it is on the invoice{, though|}.
The seal of the box was {whole|not broken}, so nothing {fell|got} out.
I {opened|unpacked} it together with [who], so there are two of us who saw it.
I {turned|emptied} the box twice and looked between the paper.
I {did not|don't} need the rest to hurry, I just want to know.
Without that part the {other one|rest} is of no use.
""",
    asks="""
Does the rest come later?
Could you send what is missing?
Was it {forgotten|left out}?
Is {a second|another} parcel on the way?
When can I expect {the other one|the rest}?
Do you need a {photo|list} from me?
""",
    shorts="""
Only half of order [order] {came|is here}.
[item] missing from the box!! {the rest is there|everything else ok}
Is a second parcel {coming|on the way}? The [item2] [2is] not in this one.
You forgot to pack the [item].
Got one {box|parcel} of two, where is the {other|second}?
""",
)

TOPICS = (LATE, NOT_THERE, TRACKING, CHANGE, DRIVER, OPTIONS, PART)
