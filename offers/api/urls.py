"""The addresses of the offers' doors, below /v1/."""

from django.urls import path

from offers.api.views import catalogue, fences, offers, people, places, purchases, simulations, wallet

urlpatterns = [
    path("me", people.MeView.as_view()),
    path("customers/bulk", people.CustomerBulkView.as_view()),
    path("customers/<str:ref>", people.CustomerView.as_view()),
    path("stores", places.StoreListView.as_view()),
    path("stores/bulk", places.StoreBulkView.as_view()),
    path("stores/<str:ref>", places.StoreView.as_view()),
    path("stores/<str:store_ref>/aisles", places.AisleListView.as_view()),
    path("stores/<str:store_ref>/aisles/bulk", places.AisleBulkView.as_view()),
    path("stores/<str:store_ref>/aisles/<str:ref>", places.AisleView.as_view()),
    path("categories", catalogue.CategoryListView.as_view()),
    path("categories/bulk", catalogue.CategoryBulkView.as_view()),
    path("categories/<str:ref>", catalogue.CategoryView.as_view()),
    path("products", catalogue.ProductListView.as_view()),
    path("products/bulk", catalogue.ProductBulkView.as_view()),
    path("products/<str:gtin>", catalogue.ProductView.as_view()),
    path("offers", offers.OfferListView.as_view()),
    path("offers/bulk", offers.OfferBulkView.as_view()),
    path("offers/<str:ref>", offers.OfferView.as_view()),
    path("offers/<str:ref>/publish", offers.PublishView.as_view()),
    path("offers/<str:ref>/pause", offers.PauseView.as_view()),
    path("offers/<str:ref>/resume", offers.ResumeView.as_view()),
    path("offers/<str:ref>/end", offers.EndView.as_view()),
    path("customers/bulk", people.CustomerBulkView.as_view()),
    path("customers/<str:ref>", people.CustomerView.as_view()),
    path("me", people.MeView.as_view()),
    path("purchases", purchases.PurchasesView.as_view()),
    path("simulations", simulations.SimulationsView.as_view()),
    path("geofences", fences.FencePlanView.as_view()),
    path("coupons", wallet.CouponListView.as_view()),
    path("coupons/<str:code>", wallet.CouponView.as_view()),
    path("coupons/<str:code>/feedback", wallet.FeedbackView.as_view()),
    path("coupons/<str:code>/why", wallet.WhyView.as_view()),
    path("me/decisions", wallet.DecisionListView.as_view()),
]
