"""Facts about services: repairs, the club, hire, walks and courses."""

from __future__ import annotations

from .fact import Fact

FACTS = (
    Fact(
        "repair-free",
        "repairs",
        """
Do you repair things?
What does a repair cost?
The zip of my jacket is broken. Can you mend it?
Is a repair free?
Can I bring a torn tent to you?
""",
        """{We repair|Our workshop repairs} everything {that we have sold|bought from us}. {The first five years
are free|It is free for five years},
{later|after that} a repair costs {fifteen euros|only fifteen euros}.""",
    ),
    Fact(
        "repair-time",
        "repairs",
        """
How long does a repair take?
When will my jacket be mended?
I need my tent soon. How fast can you repair it?
How many days do I have to wait for a repair?
When do I get my things back from the workshop?
""",
        """{A repair|Most of the time it} takes ten days, {in spring sometimes|in spring it may be} two weeks.
{Need it sooner|In a hurry}? {Tell us the day|Tell us when} and {we will try|we do our best}.""",
    ),
    Fact(
        "repair-others",
        "repairs",
        """
Do you mend things from other shops?
My rucksack is not from you. Can you still repair it?
Will you mend something that I bought in another town?
Can I bring boots of another maker?
Do you repair every brand?
""",
        """{Gladly|Yes}, we {also mend|mend} things from other {shops|makers}, {if we can|as well as we can}.
{Such a repair|That} costs twenty euros{ each|}, and {we look at it first|we have a look before we say yes}.""",
    ),
    Fact(
        "repair-day",
        "repairs",
        """
When is your repair day?
Can I learn to mend things myself?
Is there a day to repair things together?
Do you have an evening for sewing and mending?
How does the repair day work?
""",
        """On the first Friday of {every|each} month {we mend together|everyone may mend} from four to eight.
{We bring|There are} needles, wax and tea, {you bring|and you bring} {the holes|whatever is broken}.""",
    ),
    Fact(
        "repair-guarantee",
        "repairs",
        """
How long is the guarantee?
Do your things have a guarantee?
What if something breaks after two years?
Is there a warranty on tents?
What does the guarantee cover?
""",
        """{We give|There is} a guarantee of ten years on seams and zips{, whatever happens|}.
{For boots it is|On boots we give} three years, since {feet are hard on them|they work the hardest}.""",
    ),
    Fact(
        "club-join",
        "the club",
        """
How do I join your club?
What is the Lantern Club?
Does the club cost anything?
Can I become a member?
What do I have to do to be in the Lantern Club?
""",
        """{The Lantern Club is our club for customers|That is our club for customers}. {It is free|It costs
nothing}: give us your name
{at the counter|in the shop} or {on our page|online}, and {you are in|that is it}.""",
    ),
    Fact(
        "club-points",
        "the club",
        """
How many points do I get?
How do the points work?
What is a point worth?
What do I get for my points?
How do I collect points in the club?
""",
        """{You get one point|There is one point} for {every|each} euro that you spend. {For|With} two hundred points
you {get|have} ten euros {off|to spend}, {and we count for you|we do the counting}.""",
    ),
    Fact(
        "club-points-end",
        "the club",
        """
Do my points run out?
How long are my points good for?
I have not used my points for a year. Are they gone?
Until when do I have to use my points?
Will I lose my points one day?
""",
        """Points {stay good|are good} for three years{ after you got them|}. {We write to you|You get a letter}
a month before {they end|any are lost},
so {nothing gets lost by surprise|you have time to use them}.""",
    ),
    Fact(
        "club-birthday",
        "the club",
        """
Is there a present for my birthday?
What do club members get on their birthday?
Do you do anything for birthdays?
It is my birthday soon. Do I get something?
Is there a gift for members?
""",
        """In the month of your birthday, {members|club members} get a {small|little} pot of honey
{from our own bees|from the bees on our roof}{, just pick it up|}. {Happy birthday|Enjoy it}!""",
    ),
    Fact(
        "club-walks",
        "the club",
        """
Do you go on walks together?
When is the next club walk?
Can I walk with you?
Does the club do trips?
How often are your walks, and how long are they?
""",
        """{Every last Sunday of the month|On the last Sunday of each month} we walk together, {about|some}
eight miles{ along the coast|}.
{We start at nine|It starts at nine} at the green door, and {all are welcome|guests may come, too}.""",
    ),
    Fact(
        "hire-tents",
        "hire and courses",
        """
Can I borrow a tent?
Do you hire out tents?
What does it cost to rent a tent for the weekend?
I need a tent for two nights only. What can I do?
Can I try a tent before I buy it?
""",
        """You can {hire|rent} a tent for five euros a night. {If you buy it later|Should you keep it},
{we take the money off|that money counts towards} the price{, so trying is free|}.""",
    ),
    Fact(
        "hire-other",
        "hire and courses",
        """
What else can I hire from you?
Can I borrow a rucksack for a week?
Do you rent out stoves and sleeping mats?
Is there gear for hire besides tents?
Can I rent a child seat for walking?
""",
        """{Besides tents we hire out|You can also hire} rucksacks, stoves and sleeping mats, each for two euros a day.
{Please book|Book} a week {ahead|before} {in summer|in the summer months}.""",
    ),
    Fact(
        "course-map",
        "hire and courses",
        """
Do you teach how to read a map?
Are there courses for beginners?
I want to learn to use a compass. Do you have a course?
When is your map course?
What does the map course cost?
""",
        """{Our map and compass course|The course for map and compass} is on the second Saturday of {each|every} month.
It {lasts|takes} three hours and costs twelve euros, {tea included|with tea}.""",
    ),
    Fact(
        "old-things",
        "hire and courses",
        """
What can I do with my old jacket?
Do you take old things back?
Can I give you my used tent?
Do you sell second-hand things?
Do I get anything for my old gear?
""",
        """Bring {us|in} your old things: {we wash, mend and sell them again|they are washed, mended and sold again}.
You get a {voucher|gift card} for a {fifth|fifth part} of the {old price|price you paid}{, at once|}.""",
    ),
    Fact(
        "plant-tree",
        "hire and courses",
        """
What do you do for nature?
Do you plant trees?
Is your shop good for the earth?
How do you help the moor?
What happens with the money that you give away?
""",
        """For {every|each} tent that we sell, {we plant|our team plants} one tree {on the moor|behind the town}.
{So far|Up to now} there are {four thousand|about four thousand} of them{, come and see|}.""",
    ),
)
