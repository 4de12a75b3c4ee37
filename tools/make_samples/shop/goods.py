"""Facts about the goods: sizes, materials, care and what the shop is known for."""

from __future__ import annotations

from .fact import Fact

FACTS = (
    Fact(
        "size-range",
        "sizes",
        """
Which sizes do you have?
Do you sell clothes in large sizes?
What is the biggest size that you sell?
Do your jackets come in small sizes?
From which size to which size do your clothes go?
""",
        """Our clothes {come|are made} in nine sizes, from XXS to 4XL, {for every body|so that everybody finds one}.
{If yours is missing|If you need another}, our sewing room {can change a piece|will help}.""",
    ),
    Fact(
        "size-boots",
        "sizes",
        """
How should walking boots fit?
Which size of boots should I take?
Should I buy boots one size bigger?
Do your boots run small?
How much room do my toes need in boots?
""",
        """Take your boots {one size bigger|a size bigger} than your {town|street} shoes, {with room for a
thumb|a thumb wide} in front.
{Feet grow on long walks|On a long walk feet get bigger}, {so this helps|and they will thank you}.""",
    ),
    Fact(
        "size-kids",
        "sizes",
        """
Do you have things for children?
From what age do you have clothes for children?
Is there anything for my little daughter?
Which children's sizes do you have?
My son grows so fast. What can you offer?
""",
        """{We have clothes|There are clothes} for children from two to twelve years. {Arms and legs|Sleeves and legs}
can be {let out|made longer} twice, so {they last three years|one jacket lasts three years}{ or more|}.""",
    ),
    Fact(
        "size-help",
        "sizes",
        """
I do not know my size. Can you help?
How do I find the right size?
Can somebody help me choose a size?
How do I measure myself?
Is there a way to know if it will fit?
""",
        """{Tell us|Write us} your height and {a jacket that fits you well|the size of a jacket that fits},
and we {find|choose} the right size {for you|with you}. {We are right nine times out of ten|Nine times out of
ten it fits}.""",
    ),
    Fact(
        "material-wool",
        "materials",
        """
Where does your wool come from?
What kind of wool do you use?
Is the wool from sheep that are treated well?
From which sheep is your wool?
Do you know the farm that makes your wool?
""",
        """All our wool comes from {one farm|a single farm} in Upper Wend, {only ten miles away|ten miles from here}.
We visit the {sheep|farmer and the sheep} {every spring|each year}, {and they live well|they have a good life}.""",
    ),
    Fact(
        "material-down",
        "materials",
        """
Do you sell down jackets?
Are your sleeping bags filled with feathers?
What is inside your warm jackets?
Do you use down?
I do not want feathers. What do you have?
""",
        """{We do not use down|There are no feathers in our things}. {Our jackets and sleeping bags are|All is}
filled with wool,
which {stays warm|keeps you warm} {even when it is wet|even in the rain}.""",
    ),
    Fact(
        "material-rain",
        "materials",
        """
Are your rain jackets really waterproof?
How long does your rain jacket keep the water out?
Will I stay dry in a storm?
How do you test your rain jackets?
How well do your jackets keep out the rain?
""",
        """{Every|Each} rain jacket {stands|spends} one hour {under our garden shower|in our shower} before it
{leaves|goes out}.
{Only dry ones pass|If a drop gets in, we sew it again}{, we promise|}.""",
    ),
    Fact(
        "material-tents",
        "materials",
        """
What are your tents made of?
Are the tents made of cotton?
Is there plastic in your tents?
Which fabric do you use for tents?
How heavy is the fabric of your tents?
""",
        """Our tents are {made of|sewn from} cotton {with a thin coat of wax|and a thin layer of wax}, {no
plastic|without plastic}.
{They are a little heavier|That weighs a bit more}, but {they breathe|the air inside stays fresh}.""",
    ),
    Fact(
        "material-colours",
        "materials",
        """
Which colours do you have?
Why are all your things green, grey or blue?
Do you have a red jacket?
Can I get it in another colour?
What colours can I choose from?
""",
        """We have three colours: moss, stone and sea. {They come from plants|We dye with plants},
{so each piece looks a little different|and each piece is a bit different}. {There is no red, sorry|Sorry,
red we cannot do}.""",
    ),
    Fact(
        "care-wash",
        "care",
        """
How do I wash my jacket?
Can I put a jacket in the washing machine?
At what heat should I wash my things?
How often should I wash my rain jacket?
What is the right way to wash it?
""",
        """{Wash it|Please wash it} cold, at thirty degrees, {with little soap|with a spoon of soap}, and {hang
it up|let it hang} to dry.
{Twice a year is enough|Two times a year will do}{, really|}.""",
    ),
    Fact(
        "care-wax",
        "care",
        """
How do I keep my tent waterproof?
Do I have to wax the tent?
How often does a tent need new wax?
Rain comes through my old tent. What can I do?
Which wax do you recommend for tents?
""",
        """{Give your tent|Your tent needs} new wax every second spring. {A tin of our bee wax|One tin of our
wax} costs eight euros
and is {enough|all you need} for {one tent|a whole tent}.""",
    ),
    Fact(
        "care-boots",
        "care",
        """
How do I dry wet boots?
My boots are wet. What should I do?
How should I look after leather boots?
Can I put my boots on the heater?
What is good for boots after a rainy walk?
""",
        """{Fill them with old newspaper|Put old newspaper inside} and let them dry {slowly|in the air}, {never
near|far from} a fire or heater.
{Then rub in|After that use} a little fat{, that is all|}.""",
    ),
    Fact(
        "goods-bestseller",
        "our goods",
        """
What do most people buy from you?
What is your best known product?
Which thing do you sell most?
What should I buy as my first thing from you?
What is Quillmoor famous for?
""",
        """{Most people come for|We are known for} the Heron, our rain jacket {with the deep hood|with its deep hood}.
We have made it since 1998 and {changed only|in all that time we changed} the buttons.""",
    ),
    Fact(
        "goods-lightest",
        "our goods",
        """
What is your lightest tent?
Do you have a tent for one person?
How heavy is your smallest tent?
I want to walk far. Which tent is right for me?
Which tent would you take on a long walk?
""",
        """{Take the Wren|That is the Wren}, our tent for one person. It weighs {two kilos|only two kilos} and
{stands|is up} in three minutes,
{even in the wind|even in the dark}.""",
    ),
    Fact(
        "goods-made",
        "our goods",
        """
Where do you make your things?
Are your clothes made in this country?
Who sews your jackets?
Do you have your own workshop?
Where does the sewing happen?
""",
        """{We sew everything|Everything is sewn} upstairs, {right above the shop|in the room above the shop},
{five of us|five people} at five tables.
{You may|Feel free to} come up and watch on Wednesdays.""",
    ),
)
