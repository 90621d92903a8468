"""Common words that no request holds: each becomes a token, so that the model can learn that they mean nothing here."""

from __future__ import annotations

ENGLISH = """
able about above across act actually after again against age ago air all allow almost alone along already although
always among amount another answer any anybody anyone anything appear apply area arrive art ask available bad base
basic beautiful because become before begin behind believe best better between beyond big bit body both bring build
business busy buy call came card care careful carry case cause certain change character check child choice choose
class clean close collect come common complete consider contain continue control copy correct cost count couple course
cover create current cut daily deal decide deep delete depend desire detail develop different difficult direct
discover display do done door down dream drive each early easily easy eat edit effect either else empty end enjoy
enough enter entire especially even ever every exact example except exchange exist expect explain extra eye face fact
fall family fast feel few field figure fill final finally find finish fit fix follow food foot force forget form free
fresh full further game gave general gentle get girl go gone grand great group grow guess half hand happen happy hard
have head hear heart heavy help here high hold hope hour however huge human hundred idea identify imagine important
include indicate inside instead interest issue item job join keep kid kind know large last later lead learn least
leave less let letter level lie life light like likely list listen live local long look lot low main maintain make
manage many mark match matter maybe mean measure meet mention might mind minute modify moment month more most mother
mount much must name nature near necessary need never next nobody normal note nothing notice number object obtain
occur offer often old once only onto open opposite option order organize other otherwise our own page pair part
particular past pattern people perfect perhaps perform person picture piece plain plan play pleased point popular
position possible prefer present pretend pretty probably problem proper provide public pull push quality question
quick quiet quite rather reach read ready real reason receive recognize region relate remain remember repeat replace
report require rest result return room round rule run same save scene second section seem select send sense separate
serious serve set several shape share short side similar simple single situation size small smooth soft solid some
somebody someone soon sort sound space speak special specify spell spend stand start state stay step still stop
strange strong study stuff such suddenly suggest suit support suppose sure surface surround swap system table take
talk task team tell tend test thank their them then there these they thing think those though through thus tiny title
together toward transform translate travel treat true try type under understand unit until update upon useful usual
various version very view visible visit wait walk warm watch way week weird well whatever when whenever whether while
whole whose wide within without wonder word work world worry would write wrong year yes yet young your
"""
CHINESE = (
    "的一是在不了有和人这中大为上个国我以要他时来用们生到作地于出就分对成会可主发年动同工也能下过子说产种面而方后多定行学"
    "法所民得经三之进着等部度家电力里如水化高自理起小物现实加量都两体制机当使点从业本去把性好应开它合还因由其些然前外天政"
    "四日那社义事平形相全表间样与关各重新线内数正心反你明看原又么利比或但质气第向道命此变条只没结解问意建月公无系军很情者"
    "最立代想已通并提直题党程展五果料象员革位入常文总次品式活设及管特件长求老头基资边流路级少图山统接知较将组见计别她手角"
    "期根论运农指几九区强放决西被干做必战先回则任取据处理世车安白快车字走再真叫让给请吧呢吗啊哦呀帮忙谢您希望能够需要"
)
# What people have written on signs, beside the words above: places, shouts, first names.
SIGNS = """
open closed cafe shop hello love home exit stop taxi bar zoo park sale free bread pizza sushi tea milk beer books toys
post bank gym spa inn hotel motel diner grill bakery coffee donut salon market fish farm eggs fruit sweets candy cake
yoga bus metro tram wc no yes ok hi bye wow yay go win fun cool danger keep out wet paint beware enter push pull
please thanks sorry happy party peace hope dream lucky joy xmas noel easter family mum mom dad nana papa boss home
leo max bob ben sam tom tim dan joe jim jack luca mia emma ella lily anna lucy zoe ava eva nina lena maya ruby rosie
alice olivia noah liam oscar felix hugo theo finn emil anton paul peter mark luke john mary kate jane rose daisy bella
buddy rex milo coco luna simba lola charly toby bruno frida oslo paris rome tokyo berlin london beach north south east
west vip wifi atm pub pool lake river school museum garage police garden kids play lunch dinner menu today new best
"""
