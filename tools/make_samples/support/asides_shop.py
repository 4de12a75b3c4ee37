"""Remarks in passing about products, accounts and the website; see `asides_order.py`."""

from __future__ import annotations

PRODUCT = (
    """
I like my [item2] from you, so {light|warm} and {small when packed|well made}, but {now this|this is about another
  thing}.
I have been happy with you so far: my [item2] {stayed|[2is]} waterproof after {three|five} years.
Size and colour are {just right|perfect}, {so that is not it|this is about something else}.
The [item2] that I have from you {[2is]|[2was]} the best I ever had, so I {come|came} back.
I waited weeks until the [item2] [2was] back in stock, {ordered at once|and was so glad}, and {now this|then this}.
I know your things: the wool is {warm|soft}, the {seams|zips} hold. {But now I have this:|Only this is new to me:}
We {use|wear} our [item2] in all weather and {like|love} [2it]. {Now|Today} we have another {matter|question}.
The material is {great|lovely} and the size is right, {but that is not why I write|so no question there}.
I read about the new [item2] {in the paper|on your page} and {want|would like} [2it], but first {this|something else}.
I had asked which size to take, and [agent] was right, thank you. {Now|Today} {this|I have something else}:
My [item2] keep[2s] the rain out and weigh[2s] nearly nothing, so I {am a fan|like you}. Still, {this|one thing}:
[who] {told me|says} that your [items2] are the {warmest|lightest} of all, that is how I {found|came to} you.
I took the {green|blue} one because it is {warmer|lighter}, {a good choice|no regrets}.
It is not the colour and not the size, {those are fine|I chose well}.
The {tent|jacket|bag} itself is lovely and well made, {so it is not that|that is not the point}.
""",
    """
By the way, the [item2] [2is] {as warm|as waterproof} as you said, I {tested|tried} that.
PS: please {make|bring back} the [item2] in {green|yellow|other colours}.
(Size {M|L|40} is right, {no need to ask|no question there}.)
I still wonder which [item2] to {take|get}, but that is for {later|another day}.
The {wool|material} does not itch, {by the way|which I had feared}.
If the [item2] [2is] in stock again one day, {I will be back|tell me}.
Next I need [a_item2], {light|warm} enough for {autumn|the hills}, but one thing at a time.
We love the [item2], on cold {mornings|nights} most of all.
The colour {in daylight|in the sun} is even {better|nicer} than in the picture, I {must|should} say.
I can {only|really} recommend the [item2], so warm and {dry|light}. It is just this that {bothers me|I do not like}.
I measured {twice|well} and took the right {size|one}, {so that is fine|that is not it}.
The spare {buckles|pegs} that come with it were a {good idea|nice touch}, though.
The thing itself is {great|fine}: light, waterproof, {warm|easy to wash}.
{I wash|I care for} my things as the label says, so {they last|I am not careless}.
Your [items2] are {still|simply} the best, {so I stay|that has to be said}.
I will {ask|write} about sizes and {material|stock} another time.
""",
)

ACCOUNT = (
    """
I am {signed|logged} in and {see|can see} my orders, {so it is not the account|that part works}.
My account {shows|says} the same.
I have had an account with you since {2017|2019|the start}, {and never a problem|so you know me}.
I ordered as a guest, so {there is no password|I have no account}, {in case you look|if that matters}.
I read in your newsletter that one can write {here|to you}.
I {found|have} this address {in the newsletter|in my account}.
I {have been|am} a club member{ for years|} and {collect|like} my points, but {this|one thing} {bothers me|is not good}.
I changed my password {last week|on [day]} as you asked, {so that is done|that went well}. Now {this|something else}:
My name and e-mail in the account are {right|up to date}.
I looked in my {account|profile} first{, of course|}.
My points {came|were added} the same day, thanks. {But|Only} {this|one thing} is open:
The address in my {account|profile} is {right|the new one}.
Signing in {works|was no problem}, before you ask.
[who] and I share one account, {so the name there may be [hers]|in case the name looks odd}.
Your newsletter came {today|this morning} and {reminded me|made me think} of {something|this}.
I deleted your {last|old} newsletter {by mistake|too early}, {so I have to ask|maybe it was in there}.
""",
    """
You can see it all in my account.
By the way, {I like|we like} your newsletter.
My e-mail is the one {in|from} my account.
PS: the {points|club points} are {a nice|a good} idea.
(My password is fine, {no need to send a new one|I can sign in}.)
Please do not put me on the newsletter for that.
Please do not {change|delete} anything in my {account|profile} for that.
You have my phone number in {the|my} {account|profile}.
I hope we get {some|extra} points for {that|waiting} ;)
If you need my {member|club} number, {ask|just say so}.
I could not {find|see} that in my account, so I {write|ask}.
Do I need {an|a new} account for that? I would rather not.
If that {goes wrong|does not help}, I {will|shall} {close|delete} my account {and go elsewhere|, sorry}.
I am signed up with my work e-mail, {in case|if} you {search|look} for me.
My data is the same {as always|for years}.
{I have|My account has} {only|just} the one e-mail address, write {there|to that}.
""",
)

WEBSITE = (
    """
The new website {is|looks} {nice|lovely}, by the way. But {to|now to} my {matter|question}:
I ordered in the app, which was easy, but {now this|then this}.
I {searched|looked} {on|through} your {site|page} and {found no answer|am none the wiser}.
The {site|app} worked {well|fine} when I ordered, {this is about something else|so that is not it}.
I {use|only have} {your|the} app on an old phone, {so I may have missed it|sorry if I overlook something}.
Checkout took one minute, no error, {so far so good|very good}. {But:|Then:}
I am not good with {apps|websites}, so I {write|ask} {you|here}.
The {contact form|chat} on your page was easy to find, {good|well done}. {Now|So} {this|here it is}:
On the {page|site} I {read|saw} {something|a line} about this, but {it is short|I do not understand it}.
The link on your page {led|took} me {here|to this address}.
I clicked through all {the|your} pages {before writing|for half an hour}.
I put [a_item2] in the basket, but {that can wait|I stopped}, because {first|before that} I {have|need to ask} this:
There was no error on the {site|page}, all {went through|looked fine}, {and yet|but then} this:
I {filled in|used} the form on your {site|page} {once already|[ago]} and {got|had} no answer.
The app {told|asked} me to {write|turn} to you{ about it|}.
The search on your {site|page} gave me {nothing|forty pages}, so {I ask|here I am}.
""",
    """
The app {says|shows} the same as the {site|page}.
By the way, the search on your {site|page} is {good|much better} now.
I could not find that {on your site|in the app}, so {I ask|here I am}.
PS: the new {app|page} is {quick|pretty}.
(It is not the browser, I {tried two|checked}.)
The {site|page} {says|gives} one thing and {the app|the mail} another.
The {page|site} only says "contact us", {so I do|and here I am}.
The {help|search} page did not {help|know}.
I do not want to {do|sort} this in the app, {I like people better|please}.
I left the basket full {until I hear from you|for now}.
Please put {that|the answer} on your {website|page}, others {will|may} ask, too.
A button for {that|this} on {your|the} site would be {great|good}.
Your site {loads|works} {well|without error}, so it is not that.
I {clicked|pressed} every button that I could find.
The page on that could be clearer, if I may say so.
I saw an error {for a second|once}, but {then it worked|it went away}.
""",
)
